import { AlcorError, type ErrorCode } from '@alcor/network';
import { CallRefused, type CallStatus } from '@alcor/runtime';

const byStatus: Readonly<Record<AlcorError['status'], CallStatus>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'FAILED_PRECONDITION',
  410: 'OUT_OF_RANGE',
  412: 'FAILED_PRECONDITION',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** Where gRPC is finer than HTTP. */
const byCode: Partial<Readonly<Record<ErrorCode, CallStatus>>> = { NodeExists: 'ALREADY_EXISTS' };

/** Whatever was thrown, as gRPC says it. What nobody expected says no more than that. */
export function callRefused(thrown: unknown): CallRefused {
  const error = AlcorError.from(thrown);
  return new CallRefused(byCode[error.code] ?? byStatus[error.status], error.message);
}
