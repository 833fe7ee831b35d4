/** Prefixes that tell the value of a claim from that of a record. */
export const HOLD = 'claim:';
export const RECORD = 'record:';

/** Returns 0 when a key is held by another owner or by none: the claim was lost. */
const unlessAllHeld = `
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) ~= ARGV[1] then return 0 end
end`;

/** ARGV: hold, milliseconds. Returns a record, or for how many milliseconds the keys are held by others: 0 when they are claimed. */
export const CLAIM = `
local heldMs = 0
for _, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if value and string.sub(value, 1, ${RECORD.length}) == '${RECORD}' then return value end
  if value and value ~= ARGV[1] then heldMs = math.max(heldMs, redis.call('PTTL', key), 1) end
end
if heldMs == 0 then
  for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
end
return heldMs`;

/** ARGV: hold, milliseconds. Returns 1, or 0 when the claim was lost. PEXPIRE works without free memory too. */
export const RENEW = `${unlessAllHeld}
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
return 1`;

/** ARGV: hold, record, milliseconds. Returns 1, or 0 when the claim was lost. */
export const COMPLETE = `${unlessAllHeld}
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[2], 'PX', ARGV[3]) end
return 1`;

/** ARGV: hold. Returns the number of keys that were released. */
export const RELEASE = `
local released = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then released = released + redis.call('DEL', key) end
end
return released`;
