// SPDX-License-Identifier: Apache-2.0

// Package framework starts what the demo and every test of a running operator need: a real etcd and kube-apiserver without nodes, and the real
// manager in a process of its own, with the rights of config/rbac and no others. Everything listens on loopback and is gone afterwards.
package framework
