-- prolong(id, expires_at): moves the deadline of an open reservation, never to an earlier time: when it expires now,
-- or nil where it is not open
local function prolong(id, expires_at)
  local kind, since, ceiling, lasts, shares, windows = find(id)
  if kind ~= 'o' then return nil end
  if since + lasts >= expires_at then return since + lasts, since end
  put(id, open_field(since, ceiling, format('%d', expires_at - since), shares, windows))
  return expires_at, since
end
