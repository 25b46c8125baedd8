import { type DestinationStream, type Logger, pino } from 'pino';

/** What rooms are given to log with. */
export type Log = (message: string, error?: unknown) => void;

/** The process's log: JSON lines to `destination`, standard error by default. `ALCOR_LOG_LEVEL` chooses how much. */
export function openLog(name: string, destination: DestinationStream = pino.destination(2)): Logger {
  const level = process.env['ALCOR_LOG_LEVEL'] ?? 'info';
  return pino({ name, level, redact: ['req.headers["x-auth-token"]', 'req.headers.authorization'] }, destination);
}

/** The log of one room. */
export function logOf(logger: Logger, room: string): Log {
  const child = logger.child({ room });
  return (message, error) => (error === undefined ? child.info(message) : child.warn({ err: error }, message));
}
