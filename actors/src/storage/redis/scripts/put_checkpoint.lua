-- Keeps a state, unless a newer version is kept.
-- KEYS: the state. ARGV: version, state, life in ms. Returns { 1 }, or { 0, the version kept }.
local kept = redis.call('HGET', KEYS[1], 'version')
if kept and tonumber(kept) > tonumber(ARGV[1]) then
  return { 0, tonumber(kept) }
end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'state', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return { 1 }
