/** How many integrations this replica should give up or take, so that each replica of the fleet watches about as many. */
export type Share = { readonly give: number; readonly take: number };

export function fairShare(facts: { mine: number; integrations: number; replicas: number }): Share {
  const share = Math.ceil(facts.integrations / Math.max(1, facts.replicas));
  return { give: Math.max(0, facts.mine - share), take: Math.max(0, share - facts.mine) };
}
