import { resolve } from 'node:path';
import { canonicalReference, type Reference } from '../../core/reference.ts';
import type { ImageLocation } from '../../manifest/image-location.ts';
import type { RegistryReader } from '../port.ts';
import { badArchive } from './archive-error.ts';
import type { LocalContent } from './content.ts';
import { daemonContent, type DaemonEnvironment } from './docker-daemon.ts';
import { dockerImages } from './docker-images.ts';
import { folderContent } from './folder-content.ts';
import type { LocalImage } from './images.ts';
import { joinedReader } from './joined-reader.ts';
import { localReader } from './local-reader.ts';
import { ociImages } from './oci-images.ts';
import { pickImage } from './pick-image.ts';
import { tarFileContent } from './tar-content.ts';

interface Opened {
  readonly content: LocalContent;
  readonly images: readonly LocalImage[];
}

/** Images that lie in archives, layouts and a docker daemon; each is opened once, when it is first asked for. */
export class LocalImages {
  readonly #opened = new Map<string, Promise<Opened>>();
  readonly #readers = new Map<string, RegistryReader>();
  readonly #folder: string;
  readonly #env: DaemonEnvironment;

  /** @param folder what relative paths start from */
  constructor(folder: string, env: DaemonEnvironment) {
    this.#folder = folder;
    this.#env = env;
  }

  /** @param locations at least one; several are one image for several platforms */
  reader(locations: readonly ImageLocation[], wanted: Reference): RegistryReader {
    const key = [canonicalReference(wanted), ...locations.map(({ text }) => text)].join(' ');
    const [only, ...others] = locations.map((location) => this.#one(location, wanted));
    const reader = this.#readers.get(key) ?? (only === undefined || others.length === 0 ? only : joinedReader([only, ...others]));
    if (reader === undefined) throw badArchive(canonicalReference(wanted), 'sources.images gives it no place');
    this.#readers.set(key, reader);
    return reader;
  }

  async close(): Promise<void> {
    for (const one of await Promise.allSettled(this.#opened.values()))
      if (one.status === 'fulfilled') await one.value.content.close();
    this.#opened.clear();
  }

  #one(location: ImageLocation, wanted: Reference): RegistryReader {
    let picking: ReturnType<Parameters<typeof localReader>[0]> | undefined;
    const pick = async (): ReturnType<Parameters<typeof localReader>[0]> => {
      const { content, images } = await this.#open(location, wanted);
      return { content, image: await pickImage(images, location, wanted).open() };
    };
    return localReader(() => (picking ??= pick()));
  }

  #open(location: ImageLocation, wanted: Reference): Promise<Opened> {
    const name = location.name ?? canonicalReference(wanted);
    const key = `${location.transport}:${location.transport === 'docker-daemon' ? name : location.path}`;
    const opened = this.#opened.get(key) ?? this.#read(location, name);
    // Whoever asks for it gets the error.
    opened.catch(() => undefined);
    this.#opened.set(key, opened);
    return opened;
  }

  async #read({ transport, path }: ImageLocation, name: string): Promise<Opened> {
    const at = resolve(this.#folder, path);
    const where = `${transport}:${transport === 'docker-daemon' ? name : path}`;
    const content =
      transport === 'docker-daemon'
        ? await daemonContent(name, where, this.#env)
        : transport === 'oci'
          ? await folderContent(at, where)
          : await tarFileContent(at, where);
    const images = transport.startsWith('docker') ? await savedImages(content) : await layoutImages(content);
    return { content, images };
  }
}

/** Docker 25 and later write an OCI layout into the same archive; where that is whole, manifests keep their digests. */
async function savedImages(content: LocalContent): Promise<readonly LocalImage[]> {
  const saved = await dockerImages(content);
  if (saved === undefined) {
    const isLayout = (await content.size('index.json')) !== undefined;
    throw badArchive(
      content.where,
      'it has no manifest.json, which docker save writes',
      isLayout ? 'It is an OCI layout: write oci-archive:.' : 'Make it with docker save -o FILE.tar NAME.',
    );
  }
  const layout = (await content.size('oci-layout')) === undefined ? undefined : await ociImages(content);
  return layout !== undefined && layout.length > 0 && layout.length >= saved.length ? layout : saved;
}

async function layoutImages(content: LocalContent): Promise<readonly LocalImage[]> {
  const images = await ociImages(content);
  if (images !== undefined) return images;
  const isSaved = (await content.size('manifest.json')) !== undefined;
  throw badArchive(
    content.where,
    'it has no index.json, so it is no OCI image layout',
    isSaved ? 'It is what docker save writes: write docker-archive:.' : 'Make it with buildx --output type=oci, or skopeo copy.',
  );
}
