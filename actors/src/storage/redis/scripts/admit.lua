-- Gives a call a place among its tenant's: a sorted set of calls by the millisecond at which each expires.
-- KEYS: the set. ARGV: call, limit, life in ms. Returns { 1 or 0, places taken }.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local taken = redis.call('ZCARD', KEYS[1])
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if taken >= tonumber(ARGV[2]) then
    return { 0, taken }
  end
  taken = taken + 1
end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
-- The set goes with its last call.
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return { 1, taken }
