import { AlcorError, LeaseLost } from '@alcor/network';

/** The same object; whatever goes wrong in its methods leaves the store as an AlcorError, or as word of a lost lease. */
export function guarded<C extends object>(collection: C): C {
  const methods = Object.entries(collection as Record<string, (...args: unknown[]) => Promise<unknown>>);
  return Object.fromEntries(
    methods.map(([name, method]) => [name, (...args: unknown[]) => guard(method(...args))]),
  ) as C;
}

export async function guard<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof LeaseLost ? error : AlcorError.from(error);
  }
}
