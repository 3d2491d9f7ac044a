-- The account at hand: read once, changed in Lua by its commands, written once. Its hash has a field a reservation
-- and these of its own; a reservation's id is percent-encoded and so never begins with a colon:
--   :balance :reserved :provisioned :sweepAt :usageDay   as in core's AccountState; what is 0 may be missing
--   :lots      grants that end or are used out of turn, see lots.lua
--   :days      the days that have usage
--   :u<day>    that day's usage, see usage.lua
-- Its numbers are texts, formatted (exactly, and only) where they change.
local USAGE_TODAY = ':u' .. TODAY
local account_key, journal_key
local balance, reserved, provisioned, sweep_at, usage_day, usage, lots_text
local lots -- as tables, once they are needed
local reservations, complete -- by id, false: there is none; whether all of them are at hand
local deadlines, held_until -- of the open ones: when they expire, in order, and what is held until then; nil: not known
local changes, changed = {}, 0
local forgotten = {}
local entries, posted = {}, 0

-- load(first, last): takes an account in hand, with the reservations named by these arguments
-- KEYS: account journal
local function load(first, last)
  account_key, journal_key = key('account'), key('journal')
  local values = call('HMGET', account_key, ':balance', ':reserved', ':provisioned', ':sweepAt', ':usageDay', USAGE_TODAY, ':lots',
    unpack(ARGV, first, last))
  balance, reserved, provisioned = values[1] or '0', values[2] or '0', values[3] or '0'
  sweep_at, usage_day, usage = values[4] or '0', values[5] or '0', values[6]
  lots_text, lots = values[7] or '', nil
  reservations, complete, deadlines = {}, false, nil
  for i = first, last do reservations[ARGV[i]] = values[i - first + 8] end
end

-- change(field, value): has `flush` write a field
local function change(field, value)
  changes[changed + 1], changes[changed + 2] = field, value
  changed = changed + 2
end

-- forget(field): has `flush` delete a field, before it writes those that changed
local function forget(field)
  forgotten[#forgotten + 1] = field
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

-- drop(): deletes what is forgotten, a few thousand a call because `unpack` needs stack for each
local function drop()
  for first = 1, #forgotten, 4000 do
    call('HDEL', account_key, unpack(forgotten, first, min(first + 3999, #forgotten)))
  end
  forgotten = {}
end

-- flush(): writes what changed. The journal comes first: should its key hold something else, the script stops
-- here and nothing of the account has been written; all other keys were read, so they can be written.
local function flush()
  if posted > 0 then
    call('RPUSH', journal_key, unpack(entries, 1, posted))
    posted = 0
  end
  if #forgotten > 0 then drop() end
  if changed > 0 then
    call('HSET', account_key, unpack(changes, 1, changed))
    changed = 0
  end
  if unwritten_count > 0 then write_records() end
end
