-- An allowance that comes again, see core's allowance.ts: the field :recurring, `every amount rollover anchor since until`.

-- plan.allowance(): its parts, or nil
function plan.allowance()
  local every, amount, rollover, anchor, since, ends = match(rarely.own(':recurring') or '', '^(%a+) (%d+) (%d+) (%d+) (%-?%d+) (%-?%d+)$')
  if not every then return nil end
  return { every = every, amount = amount + 0, rollover = rollover + 0, anchor = anchor + 0, since = since + 0, ends = ends + 0 }
end

-- put_allowance(its): has `flush` write it
local function put_allowance(its)
  rarely.put_own(':recurring', its.every .. format(' %d %d %d %d %d', its.amount, its.rollover, its.anchor, its.since, its.ends))
end

-- period_of_day(its, day): the number of the period that a day is in
local function period_of_day(its, day)
  return its.every == 'day' and day or month_of(day, its.anchor)
end

-- start_of(its, period): its first day
local function start_of(its, period)
  return its.every == 'day' and period or first_day(period, its.anchor)
end

-- credit(source, its, wanted, time): adds as much as can be counted, until the end of the period
local function credit(source, its, wanted, time)
  local amount = min(wanted, MAX_AMOUNT - balance)
  if amount == 0 then return end
  lots.add(source .. '%3A' .. date_of(its.since), format('%d', amount), DEFAULT_PRIORITY, its.ends * DAY_MS, source, source, time)
end

-- begin(its, carried, time): begins a period, with what was carried on, which is the older one
local function begin(its, carried, time)
  its.ends = start_of(its, period_of_day(its, its.since) + 1)
  put_allowance(its)
  sweep_by(its.ends * DAY_MS)
  credit('rollover', its, carried, time)
  credit('allowance', its, its.amount, time)
end

-- plan.recur(amount, terms): the first call that asks for it begins the first period, new terms hold from the next one on; `terms` as `every:rollover`
function plan.recur(amount, terms)
  local every, rollover = match(terms, '^(%a+):(%d+)$')
  local its = plan.allowance()
  if its then
    if its.amount == amount and its.every == every and its.rollover == rollover + 0 then return end
    its.every, its.amount, its.rollover = every, amount, rollover + 0
    return put_allowance(its)
  end
  if provisioned ~= '1' then
    provisioned = '1'
    change(':provisioned', '1')
  end
  begin({ every = every, amount = amount, rollover = rollover + 0, anchor = anchor_of(today), since = today }, 0, now)
end

-- plan.renew(its): begins the period that is now; what is left of the last one goes on as far as it may
function plan.renew(its)
  rarely.let_go(its.ends * DAY_MS)
  local left, date = 0, date_of(its.since)
  for _, lot in ipairs(lots.all()) do
    if lot.grant == 'allowance%3A' .. date or lot.grant == 'rollover%3A' .. date then left = left + lot.left - lot.held end
  end
  local period = period_of_day(its, today)
  local missed = period - period_of_day(its, its.ends)
  its.since = max(start_of(its, period), its.ends)
  rarely.let_go(its.since * DAY_MS)
  lots.expire(its.since * DAY_MS)
  begin(its, min(left + missed * its.amount, its.rollover), its.since * DAY_MS)
end
