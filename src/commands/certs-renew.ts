import { BaseCommand } from '../cli/base-command.ts';
import { siteFlag } from '../cli/shared-flags.ts';

export default class CertsRenew extends BaseCommand {
  static override summary = 'Renew the certificates of Kubernetes on a site';
  static override description = `Every control plane, one at a time: new certificates (kubeadm certs renew all), a fresh admin.conf, and
its static pods started with them; the next begins when the one before is healthy. Installing a newer
Kubernetes renews them too. deliver status shows the days that are left.`;
  static override examples = ['<%= config.bin %> certs renew --site plant-7.yaml'];
  static override flags = { site: siteFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(CertsRenew);
    const { composeCertsRenew } = await import('../cli/compose-kubernetes.ts');
    const { viewCerts } = await import('../cli/views/kubernetes.ts');
    const result = await this.runFlow(await composeCertsRenew(flags.site));
    this.showResult(result, (shown) => viewCerts(shown, this.output));
  }
}
