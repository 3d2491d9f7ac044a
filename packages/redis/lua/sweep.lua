-- earliest(a, b): the earlier of two times, where 0 stands for none
local function earliest(a, b)
  if a == 0 then return b end
  return b == 0 and a or math.min(a, b)
end

-- forget(account, ids): deletes fields, a few thousand a call because `unpack` needs stack for each
local function forget(account, ids)
  for first = 1, #ids, 4000 do
    redis.call('HDEL', account.key, unpack(ids, first, math.min(first + 3999, #ids)))
  end
end

-- sweep_all(account): looks at every reservation of the account
local function sweep_all(account)
  flush(account)
  local fields = redis.call('HGETALL', account.key)
  local over, kept, next_expiry = {}, 0, 0
  for i = 1, #fields, 2 do
    local id = fields[i]
    if string.byte(id) ~= 58 then -- a colon begins the account's own fields
      local over_at, kind, ceiling = string.match(fields[i + 1], '^(%d+)(%a)(%d+)')
      over_at = tonumber(over_at)
      if over_at <= now then
        over[#over + 1] = id
        account.reservations[id] = nil
        if kind == 'o' then account.reserved = account.reserved - ceiling end
      else
        kept = kept + 1
        if kind == 'o' then next_expiry = earliest(next_expiry, over_at) end
      end
    end
  end
  forget(account, over)
  account.sweep_at = kept == 0 and 0 or earliest(next_expiry, now + CLOSED_KEPT_MS)
end

-- sweep(account): lets expired reservations go and forgets those closed long ago
local function sweep(account)
  if account.sweep_at ~= 0 and now >= account.sweep_at then sweep_all(account) end
end
