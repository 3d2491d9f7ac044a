-- An operation is a record: `keptUntil reservation product status ceiling charge shortfall late startedAt finishedAt
-- progress`, its status being p (pending), s (succeeded) or f (failed), and as its text the result.

-- operation_under(name): its parts, or nil
local function operation_under(name)
  local value = records.read(name)
  if not value then return nil end
  local kept_until, reservation, product, status, ceiling, charge, shortfall, late, started_at, finished_at, progress =
    match(value, '^(%d+) (%S*) (%S*) (%a) (%d+) (%d+) (%d+) (%d) (%d+) (%d+) (%S*)$')
  return {
    kept_until = kept_until, reservation = reservation, product = product, status = status, ceiling = ceiling,
    charge = charge, shortfall = shortfall, late = late, started_at = started_at, finished_at = finished_at,
    progress = progress,
  }
end

-- put_operation(name, its, result): remembers it; without a result it keeps its own
local function put_operation(name, its, result)
  records.put(name, table.concat({
    its.kept_until, its.reservation, its.product, its.status, its.ceiling, its.charge, its.shortfall, its.late,
    its.started_at, its.finished_at, its.progress,
  }, ' '), result)
end

-- status_of(its): a pending one whose reservation is not open any more has expired
local STATUS = { p = 'pending', s = 'succeeded', f = 'failed' }
local function status_of(its)
  return its.status == 'p' and find(its.reservation) ~= 'o' and 'expired' or STATUS[its.status]
end

-- operation_reply(name, its): an operation as it is, or that there is none
-- reply: no_operation balance reserved
-- reply: operation ceiling charge shortfall late? startedAt finishedAt balance reserved
--   then its status, reservation, product and progress; and the result
local function operation_reply(name, its)
  if not its then return 'no_operation ' .. balance .. ' ' .. reserved end
  local line = status_of(its) .. ' ' .. its.reservation .. ' ' .. its.product .. ' ' .. its.progress
  return 'operation ' .. its.ceiling .. ' ' .. its.charge .. ' ' .. its.shortfall .. ' ' .. its.late
    .. ' ' .. its.started_at .. ' ' .. its.finished_at .. ' ' .. balance .. ' ' .. reserved .. '\n' .. line, records.text(name)
end

-- operation: how it stands
-- KEYS: operation
-- ARGV:
commands.operation = function()
  local name = key('operation')
  return operation_reply(name, operation_under(name))
end
