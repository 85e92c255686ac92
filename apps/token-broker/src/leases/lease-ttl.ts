/** How long a worker may keep a static credential; also bounds how long it works on with one that was replaced. */
export class LeaseTtl {
  constructor(readonly ms: number) {}
}
