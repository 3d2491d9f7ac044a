-- Counters are kept by week, the epoch's first being week 0.
local WEEK_MS = 7 * DAY_MS
local week = math.floor(now / WEEK_MS)
local WEEK = format('%d', week)

-- is_current(field): whether a counter is of this week or the last one
local function is_current(field)
  local of = match(field, '^(%d+):')
  return of and of + 0 > week - 2
end
