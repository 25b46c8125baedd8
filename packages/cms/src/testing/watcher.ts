import { request } from 'node:http';

export interface HeardLine {
  readonly type: string;
  readonly kind?: string;
  readonly id?: string;
  readonly revision?: string;
  readonly state?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly type: string; readonly message: string };
}

/** Reads a watch over HTTP line by line until `enough`, or its end; then breaks it off. */
export async function readWatch(
  url: string,
  enough: (line: HeardLine, heard: readonly HeardLine[]) => boolean,
): Promise<{ readonly status: number; readonly heard: readonly HeardLine[] }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, (response) => {
      const heard: HeardLine[] = [];
      const end = (): void => resolve({ status: response.statusCode ?? 0, heard });
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const one = JSON.parse(line) as HeardLine;
          heard.push(one);
          if (!enough(one, heard)) continue;
          end();
          return void asking.destroy();
        }
      });
      response.on('end', () => {
        if (rest !== '') heard.push(JSON.parse(rest) as HeardLine);
        end();
      });
      response.on('error', () => {});
    });
    asking.on('error', reject);
    asking.end();
  });
}
