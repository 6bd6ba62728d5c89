// The lab's stand-in for flannel's CNI plugin, whose module can't be had everywhere: reads the subnet that flanneld leased
// and hands the work to the bridge plugin, as the real one does. Standard library only.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func subnet() (map[string]string, error) {
	text, err := os.ReadFile("/run/flannel/subnet.env")
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if key, value, found := strings.Cut(line, "="); found {
			values[key] = value
		}
	}
	return values, nil
}

func fail(err error) {
	fmt.Printf(`{"cniVersion":"1.0.0","code":11,"msg":%q}`, err.Error())
	os.Exit(1)
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	conf := map[string]any{}
	if len(input) > 0 {
		if err := json.Unmarshal(input, &conf); err != nil {
			fail(err)
		}
	}
	if os.Getenv("CNI_COMMAND") == "VERSION" {
		fmt.Print(`{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}`)
		return
	}
	// What a container was made with is what it is taken down with, whatever flanneld says by then.
	kept := filepath.Join("/var/lib/cni/flannel", os.Getenv("CNI_CONTAINERID"))
	bridge, err := os.ReadFile(kept)
	if os.Getenv("CNI_COMMAND") == "ADD" {
		values, err := subnet()
		if err != nil {
			fail(err)
		}
		_, network, err := net.ParseCIDR(values["FLANNEL_SUBNET"]) // flanneld writes its own address in it
		if err != nil {
			fail(err)
		}
		bridge, err = json.Marshal(map[string]any{
			"cniVersion": conf["cniVersion"], "name": conf["name"], "type": "bridge", "bridge": "cni0",
			"isDefaultGateway": true, "hairpinMode": true, "ipMasq": false, "mtu": json.Number(values["FLANNEL_MTU"]),
			"ipam": map[string]any{
				"type": "host-local", "ranges": [][]map[string]string{{{"subnet": network.String()}}},
				"routes": []map[string]string{{"dst": values["FLANNEL_NETWORK"]}},
			},
		})
		if err != nil {
			fail(err)
		}
		os.MkdirAll(filepath.Dir(kept), 0o700)
		if err := os.WriteFile(kept, bridge, 0o600); err != nil {
			fail(err)
		}
	} else if err != nil {
		return // nothing was ever made for it
	}
	for _, folder := range filepath.SplitList(os.Getenv("CNI_PATH")) {
		plugin := filepath.Join(folder, "bridge")
		if _, err := os.Stat(plugin); err != nil {
			continue
		}
		command := exec.Command(plugin)
		command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(bridge), os.Stdout, os.Stderr
		if err := command.Run(); err != nil {
			os.Exit(1)
		}
		if os.Getenv("CNI_COMMAND") == "DEL" {
			os.Remove(kept)
		}
		return
	}
	fail(fmt.Errorf("no bridge plugin in %s", os.Getenv("CNI_PATH")))
}
