-- Moves a call's entry from one node to another.
-- KEYS: the entry. ARGV: from, to, life in ms. Returns 1, or 0 where it is not from's. Claimed twice by the same
-- node it is claimed: an answer that was lost is asked for again.
local node = redis.call('HGET', KEYS[1], 'node')
if node ~= ARGV[1] and node ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'node', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
