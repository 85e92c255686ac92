import { createHash } from 'node:crypto';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * The conversation of a chat. Clients name chats as they like: a UUID is the conversation's own id, and any other text
 * stands for one (a UUIDv8) that belongs to this user alone.
 */
export function conversationIdOf(
  { orgId, userId }: { orgId: string; userId: string },
  chatId: string,
): string {
  if (uuid.test(chatId)) return chatId.toLowerCase();
  const bytes = createHash('sha256')
    .update(JSON.stringify(['chat', orgId, userId, chatId]))
    .digest()
    .subarray(0, 16);
  bytes[6] = 0x80 | (bytes.readUInt8(6) & 0x0f);
  bytes[8] = 0x80 | (bytes.readUInt8(8) & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
