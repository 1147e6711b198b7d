// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	containerdSocket = "/run/containerd/containerd.sock"
	volumePlugins    = state + "/volume-plugins" // there are none
)

// containerdConfig: restrict_oom_score_adj is for machines that withhold CAP_SYS_RESOURCE. A disabled plugin would still create a folder in /opt.
const containerdConfig = `version = 3
root = %[1]q
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
  address = %[2]q

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "docker.io/library/%[3]s"

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = [%[4]q]
    conf_dir = %[5]q
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = %[6]q
      SystemdCgroup = false

[plugins."io.containerd.nri.v1.nri"]
  disable = true
`

// networkConfig uses the plugin ptp, not bridge: every packet between pods is routed by the node, so that kube-proxy's rules also see packets from
// one pod through a Service to another.
const networkConfig = `{"cniVersion": "1.0.0", "name": "e2e", "plugins": [{"type": "ptp", "ipMasq": false, "ipam": {
  "type": "host-local", "dataDir": %q, "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
`

// kubeletConfig: with a syncFrequency of 10 s, the default here, a pod sees a changed Secret after 10 to 20 s instead of a minute or more. Image
// garbage collection and disk pressure are off, because they would depend on the machine's disk.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]q}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://%[2]s
cgroupDriver: cgroupfs
cgroupRoot: %[3]s
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
oomScoreAdj: 0
syncFrequency: %[7]s
resolvConf: %[4]q
podLogsDir: %[5]q
volumePluginDir: %[6]q
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "50Mi", nodefs.available: "0%%", imagefs.available: "0%%", nodefs.inodesFree: "0%%", imagefs.inodesFree: "0%%"}
`

// startContainerd starts containerd and loads images.
func startContainerd(ctx context.Context, c crew, images []string) error {
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	plugins, err := exec.LookPath("ptp")
	if err != nil {
		return err
	}
	networks := filepath.Join(state, "cni")
	config, err := write("containerd.toml", fmt.Sprintf(containerdConfig, filepath.Join(state, "containerd"), containerdSocket, pauseImage,
		filepath.Dir(plugins), networks, runc))
	if err != nil {
		return err
	}
	if _, err := write("cni/e2e.conflist", fmt.Sprintf(networkConfig, filepath.Join(state, "addresses"))); err != nil {
		return err
	}
	if err := c.start(ctx, "containerd", "--config", config); err != nil {
		return err
	}
	if err := wait(ctx, "containerd answers", func(ctx context.Context) error {
		return command(ctx, "ctr", "--address", containerdSocket, "version")
	}); err != nil {
		return err
	}
	for _, image := range images {
		if err := command(ctx, "ctr", "--address", containerdSocket, "--namespace", "k8s.io", "images", "import", image); err != nil {
			return fmt.Errorf("load the image %s: %w", image, err)
		}
	}
	return nil
}

// startNode starts kubelet and kube-proxy.
func startNode(ctx context.Context, c crew, kubeconfigs map[string]string, sync time.Duration) error {
	// There is no name server. Otherwise pods would use the machine's, which they cannot reach.
	resolv, err := write("resolv.conf", "")
	if err != nil {
		return err
	}
	config, err := write("kubelet.yaml", fmt.Sprintf(kubeletConfig, pki("ca.crt"), containerdSocket, podsCgroup, resolv, filepath.Join(state, "pods"), volumePlugins, sync))
	if err != nil {
		return err
	}
	if err := c.start(ctx, "kubelet", "--config="+config, "--kubeconfig="+kubeconfigs["kubelet"], "--hostname-override="+nodeName,
		"--node-ip="+nodeAddress, "--root-dir="+filepath.Join(state, "kubelet"), "--cert-dir="+filepath.Join(state, "kubelet-pki")); err != nil {
		return err
	}
	// The machine's conntrack limits are not ours to set.
	return c.start(ctx, "kube-proxy", "--kubeconfig="+kubeconfigs["proxy"], "--hostname-override="+nodeName, "--proxy-mode=nftables",
		"--cluster-cidr="+podIPs, "--oom-score-adj=0", "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s",
		"--conntrack-tcp-timeout-close-wait=0s")
}

// write writes a file of the cluster and returns its path.
func write(name, content string) (string, error) {
	path := filepath.Join(state, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // nothing secret
		return "", err
	}
	return path, os.WriteFile(path, []byte(content), 0o644) //nolint:gosec // nothing secret
}
