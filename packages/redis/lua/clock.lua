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

-- lasting(kept_until): for how many ms the server keeps what is forgotten then: a minute longer, so that nothing decides
-- but the time that is written in it
local function lasting(kept_until)
  return format('%d', max(0, kept_until - now) + 60000)
end
