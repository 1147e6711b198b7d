// SPDX-License-Identifier: Apache-2.0

// Command cluster runs a command against a Kubernetes cluster of one node that exists only meanwhile: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, kubelet, kube-proxy, containerd and runc, each as a process, none in a container. It needs Linux and root.
//
// PATH=$(test/e2e/cluster/assets.sh):$PATH cluster -pause bin/e2e/pause.tar -load app.tar -logs bin/e2e/logs kubectl get pods -A
//
// The command's environment has KUBECONFIG and E2E_KUBECONFIG, an administrator's. Pods can use the images that were loaded.
//
// All of it runs in Linux namespaces of its own: a PID namespace, so that nothing outlives its first process; a mount namespace, so that no mount
// does; and a network namespace, so that no port, route or packet filter rule affects the machine. Cleaning up means killing one process and removing
// one tree of cgroups, which also happens after a failure or a signal. The network has no connection to the outside.
package main
