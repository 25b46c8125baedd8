import { refusal, serviceProviders } from '@alcor/network';
import type {
  Collection,
  CreateServiceProfile,
  FlavorId,
  FlavorServiceProfileTypes,
  FlavorTypes,
  ServiceProfileId,
  ServiceProfileTypes,
} from '@alcor/network';
import { createCollection } from './collection.ts';
import type { Conflict } from './collection.ts';
import { nowOf } from './context.ts';
import type { StoreContext } from './context.ts';
import type { Queryable } from './database.ts';
import { flavorResource, flavorServiceProfileResource, serviceProfileResource } from './resources/flavor.ts';
import { insertAll } from './writer.ts';

/** What may be wrong with an association, of whichever side it is made. */
const associationConflicts: Readonly<Record<string, Conflict>> = {
  flavor_service_profiles_key: ([flavorId = '', profileId = '']) =>
    refusal('FlavorServiceProfileBindingExists', { flavorId, profileId }),
  flavor_service_profiles_flavor_fkey: ([flavorId = '']) => refusal('FlavorNotFound', { flavorId }),
  flavor_service_profiles_profile_fkey: ([profileId = '']) => refusal('ServiceProfileNotFound', { profileId }),
};

export function createFlavorCollection(context: StoreContext): Collection<FlavorTypes> {
  const associate = (tx: Queryable, flavorId: FlavorId, profiles: readonly ServiceProfileId[]): Promise<void> => {
    const now = nowOf(context);
    const rows = profiles.map((serviceProfileId) => ({
      id: context.newId(),
      flavorId,
      serviceProfileId,
      revision: 1,
      createdAt: now,
      updatedAt: now,
    }));
    return insertAll(tx, flavorServiceProfileResource, rows, now);
  };
  return createCollection(context, flavorResource, {
    defaults: { name: '', description: '', enabled: true, serviceProfileIds: [] },
    afterInsert: async (tx, rows) => {
      for (const { id, serviceProfileIds } of rows) await associate(tx, id, serviceProfileIds);
    },
    afterUpdate: async (tx, { id }, { serviceProfileIds }) => {
      if (serviceProfileIds === undefined) return;
      await tx.query('delete from flavor_service_profiles where flavor_id = $1', [id]);
      await associate(tx, id, serviceProfileIds);
    },
    conflicts: associationConflicts,
    inUse: (flavorId) => refusal('FlavorInUse', { flavorId }),
  });
}

export function createFlavorServiceProfileCollection(context: StoreContext): Collection<FlavorServiceProfileTypes> {
  return createCollection(context, flavorServiceProfileResource, { defaults: {}, conflicts: associationConflicts });
}

export function createServiceProfileCollection(context: StoreContext): Collection<ServiceProfileTypes> {
  return createCollection(context, serviceProfileResource, {
    defaults: { description: '', driver: '', metainfo: '', enabled: true },
    complete: (row) => {
      checkDriver(row);
      if (row.driver === '' && row.metainfo === '') throw refusal('ServiceProfileEmpty', {});
      return row;
    },
    checkPatch: (patch) => {
      checkDriver(patch);
      return patch;
    },
    change: async (tx, { id: profileId }, patch) => {
      const [bound] = await tx.query('select 1 from flavor_service_profiles where service_profile_id = $1 limit 1', [
        profileId,
      ]);
      if (bound !== undefined) throw refusal('ServiceProfileInUse', { profileId });
      return patch as Partial<ServiceProfileTypes['view']>;
    },
    inUse: (profileId) => refusal('ServiceProfileInUse', { profileId }),
  });
}

function checkDriver({ driver = '' }: CreateServiceProfile): void {
  if (driver === '' || serviceProviders.some((provider) => provider.driver === driver)) return;
  throw refusal('ServiceProfileDriverNotFound', { driver });
}
