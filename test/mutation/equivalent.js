/** Mutants that no test can tell from the program, and why: by their file, the line, and the change. */
export const equivalent = [
  { file: 'budgets.lua', code: 'elseif time > 0 and (next_end == 0 or time < next_end) then next_end = time end', change: '< → <=', why: 'the earlier of two equal times is either' },
  { file: 'settle.lua', code: 'local owed = charge + 0 < ceiling + 0 and charge or ceiling', change: '0 → 1', why: 'a charge that equals its ceiling is the same amount from either' },
  { file: 'lots.lua', code: 'local sum = 0', change: '0 → 1', why: 'plain credits are the balance less one such sum plus another: it cancels out' },
  { file: 'lots.lua', code: 'if #ended == 0 then return end', change: 'if #ended == 0 then return end → ', why: 'without it nothing ends either; the lots are written once more as they are' },
  { file: 'count.lua', code: "call('PEXPIRE', name, format('%d', 2 * WEEK_MS))", change: '2 → 3', why: 'what is older than two weeks is not read; the server only keeps it longer' },
  { file: 'refund.lua', code: "local all, reversed = lots.in_turn(spent, { grant = '', amount = plain, ends = 0 }), {}", change: '0 → 1', why: 'plain credits go back to no lot, whenever they end' },
  { file: 'waiting.lua', code: "local last, lines = format('%d', number('limit') - 1), {}", change: '1 → 0', why: 'a partition tells one account more, which the store leaves out' },
]
