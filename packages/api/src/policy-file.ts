import { autoTopologyRules } from './auto-topology-routes.ts';
import { definitions as allDefinitions } from './definitions/index.ts';
import { isRecord } from './kinds.ts';
import { type PolicyOverrides, type Rule, type Who, policyNames, ruleNames } from './policy.ts';

/** What is wrong with a policy file, all of it at once. */
export class PolicyFileError extends Error {
  override readonly name = 'PolicyFileError';
}

/**
 * Reads the text of a policy file: a JSON object of rules by name, each a rule or a list of which one must hold.
 *
 *     { "create_network:shared": "member", "delete_port": ["member", "network owner"] }
 */
export function readPolicy(
  text: string,
  /** Rules of what is no resource. */
  others: readonly string[] = [],
): PolicyOverrides {
  const root = parsed(text);
  const known = new Set([...policyNames(allDefinitions), ...autoTopologyRules, ...others]);
  const problems: string[] = [];
  const overrides = new Map<string, Who>();
  for (const [name, value] of Object.entries(root)) {
    if (!known.has(name)) problems.push(`'${name}' is the name of no rule${hint(name, known)}`);
    const wanted: readonly unknown[] = Array.isArray(value) ? value : [value];
    const wrong = wanted.filter((rule) => !isRule(rule));
    for (const rule of wrong) {
      problems.push(`'${name}': ${JSON.stringify(rule)} is none of ${ruleNames.map((one) => `'${one}'`).join(', ')}`);
    }
    if (wanted.length === 0) problems.push(`'${name}': the list is empty; 'nobody' means that no one may`);
    overrides.set(name, wanted as readonly Rule[]);
  }
  if (problems.length > 0) throw new PolicyFileError(`The policy file is not valid: ${problems.join('; ')}.`);
  return overrides;
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PolicyFileError(`The policy file is not JSON: ${(cause as Error).message}.`, { cause });
  }
  if (!isRecord(value)) throw new PolicyFileError('The policy file is not a JSON object of rules by name.');
  return value;
}

function isRule(value: unknown): value is Rule {
  return ruleNames.some((name) => name === value);
}

/** The names that begin alike, for one that is misspelt. */
function hint(name: string, known: ReadonlySet<string>): string {
  const stem = name.split(':', 1)[0] ?? '';
  const like = [...known].filter((one) => one === stem || one.startsWith(`${stem}:`)).slice(0, 5);
  return like.length === 0 ? '' : ` (there are ${like.map((one) => `'${one}'`).join(', ')}, …)`;
}
