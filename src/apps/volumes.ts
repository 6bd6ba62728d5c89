import type { KubeObject } from '../cluster/port.ts';
import type { App, AppVolume } from '../manifest/app-schema.ts';
import { metadataOf } from './metadata.ts';

/** A claim of a StatefulSet is a template, one volume per pod; of any other kind it is one claim that its pods share. */
export function claimTemplates(app: App): Record<string, unknown>[] {
  if (app.kind !== 'StatefulSet') return [];
  return (app.volumes ?? []).flatMap((volume) =>
    volume.claim === undefined ? [] : [{ metadata: { name: volume.name }, spec: claimSpec(volume.claim) }],
  );
}

/** PersistentVolumeClaims `<app>-<volume>` of a kind that has no templates. */
export function renderClaims(app: App, release: string): KubeObject[] {
  if (app.kind === 'StatefulSet') return [];
  return (app.volumes ?? []).flatMap((volume) =>
    volume.claim === undefined
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            metadata: metadataOf({ name: claimName(app, volume), namespace: app.namespace, labels: { app: app.name } }, release),
            spec: claimSpec(volume.claim),
          },
        ],
  );
}

/** The pod's volumes, those of claim templates left out: the controller adds them. */
export function podVolumes(app: App): Record<string, unknown>[] {
  return (app.volumes ?? []).flatMap((volume): Record<string, unknown>[] => {
    if (volume.hostPath !== undefined) return [{ name: volume.name, hostPath: { path: volume.hostPath } }];
    if (volume.emptyDir !== undefined) return [{ name: volume.name, emptyDir: volume.emptyDir }];
    return app.kind === 'StatefulSet'
      ? []
      : [{ name: volume.name, persistentVolumeClaim: { claimName: claimName(app, volume) } }];
  });
}

/** Where the main container sees its volumes. */
export function volumeMounts(app: App): Record<string, unknown>[] {
  return (app.volumes ?? []).map((volume) => ({
    name: volume.name,
    mountPath: volume.mount,
    ...(volume.subPath === undefined ? {} : { subPath: volume.subPath }),
    ...(volume.readOnly === undefined ? {} : { readOnly: volume.readOnly }),
  }));
}

function claimName(app: App, volume: AppVolume): string {
  return `${app.name}-${volume.name}`;
}

function claimSpec(claim: NonNullable<AppVolume['claim']>): Record<string, unknown> {
  return {
    accessModes: claim.accessModes ?? ['ReadWriteOnce'],
    ...(claim.storageClass === undefined ? {} : { storageClassName: claim.storageClass }),
    resources: { requests: { storage: claim.size } },
  };
}
