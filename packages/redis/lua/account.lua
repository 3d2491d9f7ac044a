-- One account: read once, changed in Lua by its commands, written once.
--
-- Its hash has a field a reservation and these of its own; a reservation's id is percent-encoded and so never
-- begins with a colon:
--   :head      balance reserved provisioned sweepAt usageDay
--   :days      the days that have usage
--   :u<day>    that day's usage, see usage.lua
local USAGE_TODAY = string.format(':u%.0f', today)

-- load(): the account and the reservations that its commands name
-- KEYS: account
-- ARGV: reservations
local function load()
  local account_key, count = key('account'), number('reservations')
  local first = skip(count)
  local values = redis.call('HMGET', account_key, ':head', USAGE_TODAY, unpack(ARGV, first, first + count - 1))
  local reservations = {}
  for i = 1, count do reservations[ARGV[first + i - 1]] = values[i + 2] end
  local head = values[1] or '0 0 0 0 0'
  local balance, reserved, provisioned, sweep_at, usage_day = string.match(head, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  return {
    key = account_key, head = head, usage = values[2], reservations = reservations, changes = {}, entries = {},
    balance = tonumber(balance), reserved = tonumber(reserved), provisioned = provisioned,
    sweep_at = tonumber(sweep_at), usage_day = tonumber(usage_day),
  }
end

-- change(account, field, value): has `flush` write a field
local function change(account, field, value)
  local changes = account.changes
  changes[#changes + 1] = field
  changes[#changes + 1] = value
end

-- flush(account): writes what changed. The journal comes first: should its key hold something else, the script
-- stops here and nothing of the account has been written; the hash was read, so it can be written.
local function flush(account)
  if #account.entries > 0 then
    redis.call('RPUSH', account.journal, unpack(account.entries))
    account.entries = {}
  end
  local head = string.format('%.0f %.0f %s %.0f %.0f',
    account.balance, account.reserved, account.provisioned, account.sweep_at, account.usage_day)
  if head ~= account.head then
    account.head = head
    change(account, ':head', head)
  end
  if account.usage_changed then
    account.usage_changed = false
    change(account, USAGE_TODAY, account.usage)
  end
  if #account.changes > 0 then
    redis.call('HSET', account.key, unpack(account.changes))
    account.changes = {}
  end
end

-- available(account): what a new reservation can have
local function available(account)
  return math.max(0, account.balance - account.reserved)
end
