-- A script of its own: how many partitions the data was written with, recorded by whoever comes first.
-- KEYS: partitions
-- ARGV: count
-- reply: the count recorded
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
