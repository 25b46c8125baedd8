/** What can be counted, and how many a project may have unless it is told otherwise; -1: any number. Neutron's own numbers. */
export const defaultQuotas = {
  network: 100,
  subnet: 100,
  port: 500,
  subnetpool: -1,
  security_group: 10,
  security_group_rule: 100,
  router: 10,
  floatingip: 50,
  rbac_policy: 10,
  trunk: -1,
} as const;

export type Countable = keyof typeof defaultQuotas;
export type QuotaLimits = Readonly<Record<Countable, number>>;

export const countables = Object.keys(defaultQuotas) as readonly Countable[];

/** How many resources projects may have. */
export interface QuotaStore {
  /** Of a project; what it has none of its own for is the default. */
  limits(projectId: string): Promise<QuotaLimits>;
  defaults(): Promise<QuotaLimits>;
  /** How many there are. */
  usage(projectId: string): Promise<QuotaLimits>;
  /** The projects that have limits of their own. */
  list(): Promise<readonly { readonly projectId: string; readonly limits: QuotaLimits }[]>;
  /** `above usage`: QuotaBelowUsage where the project has more already. Default: at once. */
  set(projectId: string, limits: Readonly<Partial<QuotaLimits>>, how?: 'above usage'): Promise<QuotaLimits>;
  /** Back to the defaults. False where it had none of its own. */
  clear(projectId: string): Promise<boolean>;
}
