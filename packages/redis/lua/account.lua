-- load(first, last): takes an account in hand, with the reservations named by these arguments
-- KEYS: account journal waiting
--   the last one only where entries go on to a sink
local function load(first, last)
  account_key, journal_key = key('account'), key('journal')
  if exporting then waiting_key = key('waiting') end
  local values = call('HMGET', account_key, ':balance', ':reserved', ':provisioned', ':sweepAt', ':usageDay', USAGE_TODAY, ':lots',
    unpack(ARGV, first, last))
  balance, reserved, provisioned = values[1] or '0', values[2] or '0', values[3] or '0'
  sweep_at, usage_day, usage = values[4] or '0', values[5] or '0', values[6]
  lots_text, lot_list = values[7] or '', nil
  reservations, complete, deadlines = {}, false, nil
  own_fields, budget_uses, has_windows = nil, nil, false
  for i = first, last do reservations[ARGV[i]] = values[i - first + 8] end
end

-- change(field, value): has `flush` write a field
local function change(field, value)
  changes[changed + 1], changes[changed + 2] = field, value
  changed = changed + 2
end

-- hold(amount): changes what is reserved
local function hold(amount)
  reserved = format('%d', reserved + amount)
  change(':reserved', reserved)
end

-- available(): what a new reservation can have
local function available()
  return max(0, balance - reserved)
end
