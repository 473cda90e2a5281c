-- Forgets a state up to a version, and remembers that, unless a newer one is kept.
-- KEYS: the state. ARGV: version, how long that is remembered in ms. Returns 1, or 0 where the newer one stays.
local kept = redis.call('HGET', KEYS[1], 'version')
if kept and tonumber(kept) > tonumber(ARGV[1]) then
  return 0
end
redis.call('HSET', KEYS[1], 'version', ARGV[1])
redis.call('HDEL', KEYS[1], 'state')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
