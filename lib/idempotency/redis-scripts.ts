/** Apart by their first letters, whatever an owner or a record says. */
export const HOLD = 'claim:';
export const RECORD = 'record:';

/** Held by somebody else or not at all: the claim was lost. */
const unlessAllHeld = `
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) ~= ARGV[1] then return 0 end
end`;

/** ARGV: hold, milliseconds. Gives a record, or for how many milliseconds the keys are held by others: 0 when they are claimed. */
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

/** ARGV: hold, milliseconds. Gives 1, or 0 when the claim was lost. PEXPIRE works without free memory too. */
export const RENEW = `${unlessAllHeld}
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[2]) end
return 1`;

/** ARGV: hold, record, milliseconds. Gives 1, or 0 when the claim was lost. */
export const COMPLETE = `${unlessAllHeld}
for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[2], 'PX', ARGV[3]) end
return 1`;

/** ARGV: hold. Gives how many keys were held. */
export const RELEASE = `
local released = 0
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then released = released + redis.call('DEL', key) end
end
return released`;
