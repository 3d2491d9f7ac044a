-- The call under an idempotency key is a record: `keptUntil reservation payload finished ceiling charge`, and as its text
-- the response. Until it is finished it counts for as long as its reservation is open.

-- records.call(name): the parts of the call that is remembered, or nil
function records.call(name)
  local value = records.read(name)
  if not value then return nil end
  local reservation, payload, finished, ceiling, charge = match(value, '^%d+ (%S*) (%S*) (%d) (%d+) (%d+)$')
  return { reservation = reservation, payload = payload, finished = finished == '1', ceiling = ceiling, charge = charge }
end

-- records.put_call(name, id, payload, finished, ceiling, charge, response, from): remembers a call, from now or later; without a response it keeps its own
function records.put_call(name, id, payload, finished, ceiling, charge, response, from)
  local kept_until = format('%d', (from or now) + RECORD_KEPT_MS)
  records.put(name, kept_until .. ' ' .. id .. ' ' .. payload .. ' ' .. finished .. ' ' .. ceiling .. ' ' .. charge, response)
end

-- records.earlier_call(name, payload): what a call under this key is told, or nil when the key is free
-- reply: mismatch balance reserved
-- reply: replayed ceiling charge pending? balance reserved
--   and the response
-- reply: in_progress now expiresAt balance reserved
function records.earlier_call(name, payload)
  local known = records.call(name)
  if not known then return nil end
  local kind, since, _, lasts = find(known.reservation)
  if not known.finished and kind ~= 'o' then return nil end
  if known.payload ~= payload then return 'mismatch ' .. balance .. ' ' .. reserved end
  local response = records.text(name)
  if known.finished or response ~= '' then
    local pending = known.finished and '0' or '1'
    return 'replayed ' .. known.ceiling .. ' ' .. known.charge .. ' ' .. pending .. ' ' .. balance .. ' ' .. reserved, response
  end
  return 'in_progress ' .. NOW .. ' ' .. format('%d', since + lasts) .. ' ' .. balance .. ' ' .. reserved
end

-- records.keep_call(name, id, payload, finished, ceiling, charge, response, from): as `put_call`, unless the key has passed to another call.
-- One that is finished takes it from one of the same payload that is still to answer: should that fail, what was charged would be sold once more.
function records.keep_call(name, id, payload, finished, ceiling, charge, response, from)
  local known = records.call(name)
  if known and known.reservation ~= id then
    if known.finished then return end
    local can_take = finished == '1' and known.payload == payload and records.text(name) == ''
    if not can_take and find(known.reservation) == 'o' then return end
  end
  records.put_call(name, id, payload, finished, ceiling, charge, response, from)
end

-- records.keep_longer(name, id, time): a call whose operation goes on until then keeps its key as long
function records.keep_longer(name, id, time)
  local known = records.call(name)
  if not known or known.reservation ~= id then return end
  local kept_until, rest = match(records.read(name), '^(%d+)(.*)$')
  records.put(name, format('%d', max(kept_until, time)) .. rest)
end

-- records.free_call(name, id): a call that failed has not used its key; one that is finished has, whatever comes after. Its record is over, and not
-- deleted: on a Cluster, in a slot that is leaving, a script that writes a key which is not there any more stops halfway.
function records.free_call(name, id)
  local known = records.call(name)
  if known and known.reservation == id and not known.finished then records.put(name, (string.gsub(records.read(name), '^%d+', '0'))) end
end
