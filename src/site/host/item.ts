import type { WishedUnit } from './wish.ts';

/** What a thing on a host is for: plans count by it. `kernel`: modules and settings; `setting`: the rest that is no file. */
export type ItemKind = 'program' | 'unit' | 'file' | 'certificate' | 'kernel' | 'setting' | 'mirror';

/** One thing that should be true of a host, and whether it is. */
export interface HostItem {
  readonly kind: ItemKind;
  /** `containerd v1.7.28`, `/etc/crictl.yaml`, `swap off` */
  readonly what: string;
  /** What is sent for it; absent where nothing is. */
  readonly bytes?: number;
  readonly done: boolean;
}

export function fileItem({
  path,
  content,
  done,
}: {
  readonly path: string;
  readonly content: string;
  readonly done: boolean;
}): HostItem {
  return { kind: fileKind(path), what: path, bytes: Buffer.byteLength(content), done };
}

export function unitItem({ name, wanted }: WishedUnit, done: boolean): HostItem {
  return { kind: 'unit', what: `${name} ${wanted}`, done };
}

/** systemd and the kernel say by folder what a file is for (systemd.unit(5), sysctl.d(5), modules-load.d(5)). */
function fileKind(path: string): ItemKind {
  if (path.startsWith('/etc/systemd/system/')) return 'unit';
  if (/^\/etc\/(?:sysctl|modules-load)\.d\//.test(path)) return 'kernel';
  return /\.(?:crt|key|pem)$/.test(path) ? 'certificate' : 'file';
}
