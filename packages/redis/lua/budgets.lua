-- What was spent and is held in a scope and window, see core's budgets.ts: the field `:w<window>:<scope>`, its value `period spent held`. Of a
-- reservation, the windows it holds its ceiling in: `window:scope:period` with commas.

-- period_of(window): the number of the one that is now; one that has begun stays so when the clock is put back, for those before it may have
-- been dropped
local function period_of(window)
  if window == 'total' then return 0 end
  local day = floor(max(now, rarely.own(':sweptAt') or 0) / DAY_MS)
  return window == 'day' and day or month_of(day, 1)
end

-- end_of(window, period): when it ends; 0: never
local function end_of(window, period)
  if window == 'day' then return (period + 1) * DAY_MS end
  return window == 'month' and first_of(period + 1) * DAY_MS or 0
end

-- use_in(field): what is known of a window, or false
local function use_in(field)
  budget_uses = budget_uses or {}
  if budget_uses[field] == nil then
    local period, spent, held = match(rarely.own(field) or '', '^(%-?%d+) (%d+) (%d+)$')
    budget_uses[field] = period and { period = period + 0, spent = spent + 0, held = held + 0 } or false
  end
  return budget_uses[field]
end

-- current_use(window, scope): of the window that is current now, and its field
local function current_use(window, scope)
  local field, period = ':w' .. window .. ':' .. scope, period_of(window)
  local known = use_in(field)
  return known and known.period >= period and known or { period = period, spent = 0, held = 0 }, field
end

-- put_use(field, use): has `flush` write it
local function put_use(field, use)
  budget_uses[field], has_windows = use, true
  budgets_changed = budgets_changed or {}
  budgets_changed[field] = true
end

-- plan.save_budgets(): writes those that changed, a thousand a call because `unpack` needs stack for each
function plan.save_budgets()
  local values = {}
  for field in pairs(budgets_changed) do
    local use = budget_uses[field]
    own_fields[field] = format('%d %d %d', use.period, use.spent, use.held)
    values[#values + 1], values[#values + 2] = field, own_fields[field]
    if #values == 2000 then
      call('HSET', account_key, unpack(values))
      values = {}
    end
  end
  budgets_changed = nil
  if #values > 0 then call('HSET', account_key, unpack(values)) end
end

-- plan.over_budget(limits, ceiling): what a call is told whose ceiling one of them can't cover, or nil; `limits` as `window:limit:scope` with commas
-- reply: over_budget required budget spent held now resetsAt balance reserved
function plan.over_budget(limits, ceiling)
  local place = 0
  for window, limit, scope in string.gmatch(limits, '(%a+):(%d+):([^,]*)') do
    local use = current_use(window, scope)
    if use.spent + use.held + ceiling > limit + 0 then
      return 'over_budget ' .. format('%d', ceiling) .. ' ' .. format('%d', place) .. ' ' .. format('%d', use.spent) .. ' ' .. format('%d', use.held)
        .. ' ' .. NOW .. ' ' .. format('%d', end_of(window, use.period)) .. ' ' .. balance .. ' ' .. reserved
    end
    place = place + 1
  end
  return nil
end

-- count_in(counted, window, scope, held, spent): holds in it, or counts what was charged without holding it; adds which of the windows that was to
-- `counted`, unless it is there: two limits may be for one
local function count_in(counted, window, scope, held, spent)
  local use, field = current_use(window, scope)
  if counted[field] then return end
  use.held, use.spent = use.held + held, use.spent + spent
  put_use(field, use)
  local time = end_of(window, use.period)
  if time > 0 then sweep_by(time) end
  counted[field], counted[#counted + 1] = true, window .. ':' .. scope .. format(':%d', use.period)
end

-- plan.hold(limits, ceiling): sets it aside in each of them; the windows
function plan.hold(limits, ceiling)
  local windows = {}
  for window, scope in string.gmatch(limits, '(%a+):%d+:([^,]*)') do count_in(windows, window, scope, ceiling, 0) end
  return table.concat(windows, ',')
end

-- plan.spend_late(list, charge): counts a charge whose reservation is gone; `list` as `window:scope` with commas
function plan.spend_late(list, charge)
  local windows = {}
  for window, scope in string.gmatch(list, '(%a+):([^,]*)') do count_in(windows, window, scope, 0, charge) end
end

-- plan.give_back(windows, ceiling, charge): ends a reservation in them; in one that has passed the charge counts nowhere
function plan.give_back(windows, ceiling, charge)
  for window, scope, period in string.gmatch(windows, '(%a+):([^,:]*):(%-?%d+)') do
    local field = ':w' .. window .. ':' .. scope
    local use = use_in(field)
    if use and use.period == period + 0 then
      use.held, use.spent = use.held - ceiling, use.spent + charge
      put_use(field, use)
    end
  end
end

-- plan.tell_budgets(list): what is spent and held in each, a line each; `list` as `window:scope` with commas
function plan.tell_budgets(list)
  local told = {}
  for window, scope in string.gmatch(list, '(%a+):([^,]*)') do
    local use = current_use(window, scope)
    told[#told + 1] = format('%d %d', use.spent, use.held)
  end
  return table.concat(told, '\n')
end

-- plan.drop_ended(): forgets the windows that have ended, of an account that is at hand as a whole; when the next one ends, or 0
function plan.drop_ended()
  local next_end = 0
  for field in pairs(own_fields) do
    local window = match(field, '^:w(%a+):')
    local use = window and use_in(field)
    if use then
      local time = end_of(window, use.period)
      if time > 0 and time <= now then
        rarely.forget(field)
        budget_uses[field], own_fields[field] = false, false
        if budgets_changed then budgets_changed[field] = nil end
      elseif time > 0 and (next_end == 0 or time < next_end) then next_end = time end
    end
  end
  return next_end
end
