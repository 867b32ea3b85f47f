// SPDX-License-Identifier: BSD-2-Clause
// server PORT FOLDER SITE…: a TLS server that takes the certificate FOLDER/SITE.pem of the site that Go reads in the
// ClientHello; the first one where there is no such site.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	folder, sites := os.Args[2], os.Args[3:]
	certificates := map[string]*tls.Certificate{}
	for _, site := range sites {
		file := folder + "/" + site + ".pem"
		certificate, err := tls.LoadX509KeyPair(file, file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		certificates[site] = &certificate
	}
	choose := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if certificate := certificates[hello.ServerName]; certificate != nil {
			return certificate, nil
		}
		return certificates[sites[0]], nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12, GetCertificate: choose}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			continue
		}
		go func() {
			defer connection.Close()
			server := tls.Server(connection, config)
			if server.Handshake() == nil {
				io.Copy(io.Discard, server)
			}
		}()
	}
}
