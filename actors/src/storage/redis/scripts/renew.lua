-- Prolongs a lease that is held with this token.
-- KEYS: the lease. ARGV: owner, token, life in ms. Returns 1 or 0.
local held = redis.call('HMGET', KEYS[1], 'owner', 'token')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
