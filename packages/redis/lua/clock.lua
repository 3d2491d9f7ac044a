-- The time of the whole batch: the server's, unless a test brings its own.
-- ARGV: now
local now = number('now')
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local today = math.floor(now / DAY_MS)
