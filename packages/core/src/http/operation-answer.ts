import type { OperationRead } from '../ledger/commands.js'
import { meteringOf } from './metering.js'

/** What is answered to whoever polls an operation. */
export function operationAnswer({ operation, status, charge, ceiling, progress, result }: OperationRead) {
  return {
    operationId: operation,
    status,
    metering: meteringOf({ charge, ceiling, pending: status === 'pending' }),
    ...(progress !== '' && { progress: JSON.parse(progress) as unknown }),
    result: result === '' ? null : JSON.parse(result) as unknown,
  }
}
