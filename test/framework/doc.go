// SPDX-License-Identifier: Apache-2.0

// Package framework starts what the demo and all tests of a running operator need: a real etcd and kube-apiserver without nodes, and the real manager
// in a process of its own, with exactly the rights of config/rbac. Everything listens on loopback and is removed afterwards.
package framework
