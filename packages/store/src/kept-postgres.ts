import { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.ts';

const lookEveryMs = 500;

/**
 * Starts the embedded server and starts it again whenever it ends without having been stopped (killed, out of memory), at the same
 * socket, so that pools of connections find it again. What was committed is there.
 */
export async function keepEmbeddedPostgres(
  options: EmbeddedPostgresOptions & { readonly log: (message: string) => void },
): Promise<EmbeddedPostgres> {
  const { clock, log } = options;
  let server = await startEmbeddedPostgres(options);
  const socketDir = server.connection.host;
  const over = new AbortController();
  const watching = watch();
  return {
    connection: server.connection,
    get pid() {
      return server.pid;
    },
    runs: () => server.runs(),
    async stop() {
      over.abort();
      await watching;
      await server.stop();
    },
  };

  async function watch(): Promise<void> {
    while (!over.signal.aborted) {
      await clock.sleep(lookEveryMs, over.signal).catch(() => undefined);
      if (over.signal.aborted || (await server.runs())) continue;
      log('PostgreSQL has ended by itself; starting it again');
      try {
        server = await startEmbeddedPostgres({ ...options, socketDir });
        log('PostgreSQL is back');
      } catch (error) {
        log(`PostgreSQL does not start; trying again: ${String(error)}`);
      }
    }
  }
}
