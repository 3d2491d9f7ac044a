-- earliest(a, b): the earlier of two times, where 0 stands for none
local function earliest(a, b)
  if a == 0 then return b end
  return b ~= 0 and b < a and b or a
end

-- sweep_by(time): has the account swept at this time, or before
local function sweep_by(time)
  if sweep_at ~= '0' and sweep_at + 0 <= time then return end
  sweep_at = format('%d', time)
  change(':sweepAt', sweep_at)
end

-- forget(fields): deletes them, a few thousand a call because `unpack` needs stack for each
local function forget(fields)
  for first = 1, #fields, 4000 do
    call('HDEL', account_key, unpack(fields, first, min(first + 3999, #fields)))
  end
end

-- sweep(): lets expired reservations go and forgets those closed long ago
local function sweep()
  flush()
  local fields = call('HGETALL', account_key)
  local over, kept, freed, next_expiry = {}, 0, 0, 0
  for i = 1, #fields, 2 do
    local kind, since, ceiling, lasts = match(fields[i + 1], '^(%a)(%d+) (%d+) (%d+)')
    if kind and string.byte(fields[i]) ~= 58 then -- a colon begins the account's own fields
      local over_at = since + (kind == 'o' and lasts or CLOSED_KEPT_MS)
      if over_at <= now then
        over[#over + 1] = fields[i]
        reservations[fields[i]] = nil
        if kind == 'o' then freed = freed + ceiling end
      else
        kept = kept + 1
        if kind == 'o' then next_expiry = earliest(next_expiry, over_at) end
      end
    end
  end
  forget(over)
  if freed > 0 then hold(-freed) end
  sweep_at = kept == 0 and '0' or format('%d', earliest(next_expiry, now + CLOSED_KEPT_MS))
  change(':sweepAt', sweep_at)
end
