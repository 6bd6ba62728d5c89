import type { Problem } from '../manifest/problem.ts';
import type { Release } from '../manifest/release-schema.ts';
import { didYouMean } from '../manifest/suggest.ts';
import { isBelow, programsOf, upstreamUrls } from './component-files.ts';
import { skewProblems } from './component-skew.ts';
import { parsePlatform } from './platform.ts';

const ARCHITECTURES: readonly string[] = ['amd64', 'arm64'];
const PLACEHOLDERS: readonly string[] = ['version', 'arch', 'os'];
/** Harbor’s installer holds images for amd64 only before it became one archive for each architecture. */
const HARBOR_ARM64 = '2.16.0';

/** All that is wrong with the components of a release, and with where they come from. */
export function componentProblems(release: Release): readonly Problem[] {
  return [...skewProblems(release), ...platformProblems(release), ...templateProblems(release), ...baseProblems(release)];
}

function platformProblems(release: Release): Problem[] {
  if (release.kubernetes?.components === undefined) return [];
  return release.platforms.flatMap((text, index): Problem[] => {
    const { os, architecture } = parsePlatform(text);
    const path = ['platforms', index];
    if (os !== 'linux' || !ARCHITECTURES.includes(architecture))
      return [{ path, code: 'E_PLATFORM', message: `components are there for linux/amd64 and linux/arm64, not for ${text}` }];
    const harbor = release.kubernetes?.components?.harbor;
    if (architecture === 'amd64' || harbor === undefined || release.sources?.files?.harbor !== undefined) return [];
    if (harbor.replace(/^v/, '').localeCompare(HARBOR_ARM64, 'en', { numeric: true }) >= 0) return [];
    return [
      {
        path: ['kubernetes', 'components', 'harbor'],
        code: 'E_PLATFORM',
        message: `Harbor ${harbor} has no installer for ${text}; ${HARBOR_ARM64} is the first that has one`,
      },
    ];
  });
}

function templateProblems(release: Release): Problem[] {
  const carried = new Set<string>(programsOf(release).map(({ name }) => name));
  return Object.entries(release.sources?.files ?? {}).flatMap(([name, url = '']): Problem[] => {
    const path = ['sources', 'files', name];
    const used = [...url.matchAll(/\{([^{}]*)\}/g)].map(([, key]) => key ?? '');
    const unknown = used.filter((key) => !PLACEHOLDERS.includes(key));
    if (name === 'haproxy' || name === 'kube-vip')
      return [{ path, message: 'is an image: say under sources.registries where it comes from' }];
    if (unknown.length > 0)
      return [{ path, message: `{${unknown.join('}, {')}} is not known: a template may hold {version}, {arch} and {os}` }];
    if (!URL.canParse(url.replace(/[{}]/g, ''))) return [{ path, message: 'is not a URL' }];
    if (carried.has(name) && release.platforms.length > 1 && !used.includes('arch'))
      return [{ path, message: 'needs {arch}: this release is for several platforms' }];
    return [];
  });
}

function baseProblems(release: Release): Problem[] {
  const upstream = upstreamUrls();
  const hosts = [...new Set(upstream.map((url) => new URL(url.replace(/[{}]/g, '')).origin))];
  return Object.entries(release.sources?.base ?? {}).flatMap(([base, instead]): Problem[] => {
    const path = ['sources', 'base', base];
    if (!upstream.some((url) => isBelow(url, base)))
      return [{ path, message: `no program comes from there. Known: ${hosts.join(', ')}.${didYouMean(base, hosts)}` }];
    return /^https?:\/\//.test(instead) && URL.canParse(instead) ? [] : [{ path, message: 'must be replaced by an http(s) URL' }];
  });
}
