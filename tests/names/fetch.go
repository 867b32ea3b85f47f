// SPDX-License-Identifier: BSD-2-Clause
// fetch COUNT PARALLEL NAME…: asks for the pages of these names in turns, so often and so many at once; each by a lookup and a
// connection of its own. A % in a name is the number of the fetch. Prints how many came, and why others did not.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

func fetch(name string) error {
	connection, err := tls.Dial("tcp", name+":443", &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer connection.Close()
	fmt.Fprintf(connection, "GET / HTTP/1.0\r\n\r\n")
	page, err := io.ReadAll(connection)
	if !strings.Contains(string(page), name) {
		return fmt.Errorf("not the page: %v", err)
	}
	return nil
}

func main() {
	count, _ := strconv.Atoi(os.Args[1])
	parallel, _ := strconv.Atoi(os.Args[2])
	names := os.Args[3:]
	var good, next atomic.Int64
	var workers sync.WaitGroup
	for i := 0; i < parallel; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for number := next.Add(1); number <= int64(count); number = next.Add(1) {
				name := strings.ReplaceAll(names[number%int64(len(names))], "%", strconv.FormatInt(number, 10))
				if err := fetch(name); err != nil {
					fmt.Fprintln(os.Stderr, name, err)
				} else {
					good.Add(1)
				}
			}
		}()
	}
	workers.Wait()
	fmt.Println(good.Load(), "of", count)
}
