// SPDX-License-Identifier: Apache-2.0

// Command go calls an API with the headers that cdp-credential-operator keeps fresh. Standard library only.
package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// get reads the headers anew for each call: the kubelet replaces the files when the token is renewed. It returns the status.
func get(url string) int {
	request, _ := http.NewRequest(http.MethodGet, url, nil)
	files, _ := filepath.Glob(filepath.Join(cmp.Or(os.Getenv("HEADERS_DIR"), "/var/run/cdp"), "[^.]*")) // ..data is the kubelet's own
	for _, file := range files {
		value, _ := os.ReadFile(file) // one file for each header
		request.Header.Set(filepath.Base(file), string(value))
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

func main() {
	for interval, _ := time.ParseDuration(cmp.Or(os.Getenv("INTERVAL"), "10") + "s"); ; time.Sleep(interval) {
		status := get(os.Getenv("API_URL"))
		if status == http.StatusUnauthorized { // once more: the token may have been replaced in between
			status = get(os.Getenv("API_URL"))
		}
		fmt.Println(status)
	}
}
