// SPDX-License-Identifier: Apache-2.0

// Command cluster runs a command against a Kubernetes cluster of one node that exists for that long: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kubelet, kube-proxy, containerd and runc, each a process, none of them in a container. It needs
// Linux and root.
//
//	PATH=$(test/e2e/cluster/assets.sh):$PATH cluster -pause bin/e2e/pause.tar -load app.tar -logs bin/e2e/logs kubectl get pods -A
//
// The command's environment has KUBECONFIG and E2E_KUBECONFIG, an administrator's. Pods use the images that were loaded.
//
// All of it lives in Linux namespaces of its own: of processes, so that nothing outlives the first of them; of mounts, so that no mount
// does; and of the network, so that no port, route or packet filter rule meets those of the machine. So tidying up is killing one
// process and removing one tree of control groups, which also happens after a failure or a signal. There is no way out of that network.
package main
