-- Days since the epoch and months since the epoch, UTC, as in core's calendar.ts. A month begins on its `anchor`th day, or on its last where it
-- has no such day.
local floor = math.floor
local DAYS_BEFORE = { [0] = 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 }

-- first_of(month): its first day
local function first_of(month)
  local year, place = 1970 + floor(month / 12), month % 12
  local past = year - 1
  local leap_days = floor(past / 4) - floor(past / 100) + floor(past / 400) - 477
  local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return (year - 1970) * 365 + leap_days + DAYS_BEFORE[place] + (is_leap and place > 1 and 1 or 0)
end

-- first_day(month, anchor): the day on which it begins
local function first_day(month, anchor)
  return min(first_of(month) + anchor, first_of(month + 1)) - 1
end

-- month_of(day, anchor): the month that a day is in
local function month_of(day, anchor)
  local month = floor(day / 31)
  while first_day(month + 1, anchor) <= day do month = month + 1 end
  while first_day(month, anchor) > day do month = month - 1 end
  return month
end

-- date_of(day): as 2026-12-31
local function date_of(day)
  local month = month_of(day, 1)
  return format('%04d-%02d-%02d', 1970 + floor(month / 12), month % 12 + 1, day - first_of(month) + 1)
end

-- anchor_of(day): the day of the month, from 1
local function anchor_of(day)
  return day - first_of(month_of(day, 1)) + 1
end
