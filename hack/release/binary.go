// SPDX-License-Identifier: Apache-2.0

package main

import (
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
)

// checkBinary fails if a file is not an executable for the platform. It reads the file's own header, because a build that ignored GOARCH would
// produce a good binary for the wrong machine.
func checkBinary(path, platform string) error {
	machine, err := machineOf(path)
	if err != nil {
		return err
	}
	if machine != platform {
		return fmt.Errorf("%s is a binary for %s, want %s", path, machine, platform)
	}
	return nil
}

func machineOf(path string) (string, error) {
	if file, err := elf.Open(path); err == nil {
		defer func() { _ = file.Close() }() // only read
		for _, header := range file.Progs {
			if header.Type == elf.PT_INTERP {
				return "", fmt.Errorf("%s is dynamically linked, want a static binary", path)
			}
		}
		return named("linux", file.Machine, map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}), nil
	}
	if file, err := macho.Open(path); err == nil {
		defer func() { _ = file.Close() }()
		return named("darwin", file.Cpu, map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}), nil
	}
	file, err := pe.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s is neither an ELF nor a Mach-O nor a PE file", path)
	}
	defer func() { _ = file.Close() }()
	return named("windows", file.Machine, map[uint16]string{pe.IMAGE_FILE_MACHINE_AMD64: "amd64", pe.IMAGE_FILE_MACHINE_ARM64: "arm64"}), nil
}

func named[M comparable](system string, machine M, names map[M]string) string {
	if name, ok := names[machine]; ok {
		return system + "/" + name
	}
	return fmt.Sprintf("%s/%v", system, machine)
}
