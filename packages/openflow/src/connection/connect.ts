import type { ConnectOptions, OpenFlowConnection } from './types.ts';
import { OpenFlowError } from '../errors.ts';

export function connect(_options: ConnectOptions): Promise<OpenFlowConnection> {
  return Promise.reject(new OpenFlowError('closed', 'not written yet'));
}
