"""Prints lab.json: every address, path and account of the lab, for the tests. Values come from env.sh, so that there is
one place for each."""
import json, os, subprocess
lab = os.path.dirname(os.path.realpath(__file__))
sh = lambda expr: subprocess.check_output(['bash', '-c', f'. {lab}/env.sh; {expr}'], text=True).strip()
S, SITE, CACHE = sh('echo $S'), sh('echo $SITE'), sh('echo $CACHE')
hosts = {h: sh(f'echo ${{IP[{h}]}}') for h in sh('echo $HOSTS').split()}
version = lambda n: sh(f'echo ${n}_VERSION')
binary = lambda d, n: f'{CACHE}/bin/{d}/{n}'
print(json.dumps({
    'mode': sh('echo $MODE'), 'dir': S, 'site': SITE,
    'runner': {'netns': 'dlvrun', 'address': sh('echo $RUNNER_IP'), 'exec': f'{lab}/run-on-site'},
    'hosts': {h: {'address': a, 'root': f'{S}/hosts/{h}/root', 'state': f'{S}/hosts/{h}/state', 'netns': f'dlv{h}'} for h, a in hosts.items()},
    'ssh': {'knownHosts': f'{SITE}/known_hosts', 'key': f'{SITE}/id_ed25519', 'users': {
        'root': {'key': True}, 'ops': {'key': True, 'sudo': 'without a password'},
        'opspw': {'password': sh('echo $OPSPW_PASSWORD'), 'sudo': 'asks for the password'}}},
    'harbor': {'host': sh('echo $HARBOR'), 'address': hosts['reg1'], 'username': 'admin', 'passwordFile': f'{SITE}/admin-password', 'ca': f'{SITE}/ca.crt',
               'accessLog': f'{S}/hosts/reg1/root/var/log/harbor-front/access.log', 'unit': 'harbor-front.service',
               'storage': f'{S}/hosts/reg1/state/registry', 'storageUnit': 'docker-registry.service'},
    'kubernetes': {'version': version('KUBERNETES'), 'server': f'https://{hosts["cp1"]}:6443', 'kubeconfig': f'{SITE}/kubeconfig', 'nodes': sh('echo $NODES').split(),
                   'podNetwork': sh('echo $POD_NET'), 'serviceNetwork': sh('echo $SERVICE_NET'), 'storageClass': 'local', 'ingressClass': 'traefik'},
    'ingress': {'addresses': [sh(f'echo ${{INGRESS[{h}]}}') for h in ('cp1', 'w1')]},
    'redis': {'address': hosts['ext1'], 'port': 6379},
    'upstream': {'registry': sh('echo $UPSTREAM'), 'accessLog': f'{S}/upstream/access.log', 'pidFile': f'{S}/upstream/pid',
                 'layout': sh('images_dir') + '/upstream'},
    'components': sh('echo $COMPONENTS'), 'bin': {'kubectl': binary('kubernetes-' + version('KUBERNETES'), 'kubectl'), 'crane': binary('crane-' + version('CRANE'), 'crane'),
            'regctl': binary('regctl-' + version('REGCTL'), 'regctl'), 'skopeo': sh('command -v skopeo')},
}, indent=2))
