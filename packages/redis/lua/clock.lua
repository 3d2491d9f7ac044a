-- The time of the whole batch: the server's, unless a test brings its own.
-- ARGV: now
local now = tonumber(text('now'))
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local NOW = format('%d', now)
local today = math.floor(now / DAY_MS)
local TODAY = format('%d', today)
