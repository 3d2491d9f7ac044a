-- The account at hand: read once, changed in Lua by its commands, written once. Its hash has a field a reservation
-- and these of its own; a reservation's id is percent-encoded and so never begins with a colon:
--   :balance :reserved :provisioned :sweepAt :usageDay   as in core's AccountState; what is 0 may be missing
--   :days      the days that have usage
--   :u<day>    that day's usage, see usage.lua
-- Its numbers are texts, formatted (exactly, and only) where they change.
local USAGE_TODAY = ':u' .. TODAY
local account_key, journal_key
local balance, reserved, provisioned, sweep_at, usage_day, usage
local reservations = {}
local changes, changed = {}, 0
local entries, posted = {}, 0

-- load(first, last): takes an account in hand, with the reservations named by these arguments
-- KEYS: account
local function load(first, last)
  account_key = key('account')
  local values = call('HMGET', account_key, ':balance', ':reserved', ':provisioned', ':sweepAt', ':usageDay', USAGE_TODAY,
    unpack(ARGV, first, last))
  balance, reserved, provisioned = values[1] or '0', values[2] or '0', values[3] or '0'
  sweep_at, usage_day, usage = values[4] or '0', values[5] or '0', values[6]
  for i = first, last do reservations[ARGV[i]] = values[i - first + 7] end
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

-- flush(): writes what changed. The journal comes first: should its key hold something else, the script stops
-- here and nothing of the account has been written; the hash was read, so it can be written.
local function flush()
  if posted > 0 then
    call('RPUSH', journal_key, unpack(entries, 1, posted))
    posted = 0
  end
  if changed > 0 then
    call('HSET', account_key, unpack(changes, 1, changed))
    changed = 0
  end
end
