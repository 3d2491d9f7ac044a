-- earliest(a, b): the earlier of two times, where 0 stands for none
local function earliest(a, b)
  if a == 0 then return b end
  return b ~= 0 and b < a and b or a
end

-- rarely.let_go(time): forgets what no longer counts by then: reservations that have expired give back what they hold
function rarely.let_go(time)
  local freed, shares_freed = 0, {}
  for id, value in pairs(reservations) do
    if value then
      local over, held, shares, windows = over_at(value)
      if over <= time then
        rarely.forget(id)
        reservations[id] = false
        if held then
          freed = freed + held
          if shares ~= '' then shares_freed[#shares_freed + 1] = shares end
          if windows ~= '' then plan.give_back(windows, held, 0) end
        end
      end
    end
  end
  -- At once: `flush` unpacks what changed, and there may be thousands.
  if freed > 0 then unhold(freed, table.concat(shares_freed, ','), '') end
  deadlines = nil
end

-- next_expiry(): when to look at the reservations again
local function next_expiry()
  local kept, time = false, 0
  for _, value in pairs(reservations) do
    if value then
      kept = true
      local over, held = over_at(value)
      if held then time = earliest(time, over) end
    end
  end
  return kept and earliest(time, now + CLOSED_KEPT_MS) or 0
end

-- rarely.sweep(): does what time has brought: renews the allowance, lets expired reservations go, forgets those closed long ago and takes away
-- credits that have ended
function rarely.sweep()
  flush() -- or a field would be deleted first and written then
  read_all()
  local its = own_fields[':recurring'] and plan.allowance()
  if its and now >= its.ends * DAY_MS then plan.renew(its) end
  rarely.let_go(now)
  if lots_text ~= '' then lots.expire(now) end
  local time = earliest(next_expiry(), lots_text == '' and 0 or lots.next_end())
  if its then time = earliest(time, its.ends * DAY_MS) end
  if has_windows then time = earliest(time, plan.drop_ended()) end
  sweep_at = format('%d', time)
  change(':sweepAt', sweep_at)
end
