-- Takes a call's entry and its state away, unless another node has the call.
-- KEYS: the entry, the state. ARGV: node. Returns 1, or 0 where another node has it.
local node = redis.call('HGET', KEYS[1], 'node')
if node and node ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
return 1
