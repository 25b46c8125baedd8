import { canonicalIp, refusal } from '@alcor/network';
import type { AvailabilityZoneTypes, Collection, ConfigManagerTypes, GatewayTypes } from '@alcor/network';
import { createCollection } from './collection.ts';
import type { StoreContext } from './context.ts';
import { availabilityZoneResource, configManagerResource, gatewayResource } from './resources/host.ts';

/** The zones that nodes name. They are only read. */
export function createAvailabilityZoneCollection(context: StoreContext): Collection<AvailabilityZoneTypes> {
  return createCollection(context, availabilityZoneResource, { defaults: {} });
}

export function createConfigManagerCollection(context: StoreContext): Collection<ConfigManagerTypes> {
  return createCollection(context, configManagerResource, {
    defaults: { name: '', description: '', address: '' },
    inUse: (configManagerId) => refusal('ConfigManagerInUse', { configManagerId }),
  });
}

export function createGatewayCollection(context: StoreContext): Collection<GatewayTypes> {
  return createCollection(context, gatewayResource, {
    defaults: { name: '', description: '', ip: null },
    complete: (row) => ({ ...row, ip: row.ip === null ? null : canonicalIp(row.ip) }),
    inUse: (gatewayId) => refusal('GatewayInUse', { gatewayId }),
  });
}
