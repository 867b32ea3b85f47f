// SPDX-License-Identifier: BSD-2-Clause
// Fetch COUNT PARALLEL NAME…: as fetch.go, with as little of a cache of names as Java can have.
import java.net.Socket;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

class Fetch {
	static final TrustManager ALL = new X509TrustManager() {
		public void checkClientTrusted(X509Certificate[] chain, String type) {}
		public void checkServerTrusted(X509Certificate[] chain, String type) {}
		public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
	};

	static void fetch(SSLSocketFactory factory, String name) throws Exception {
		try (Socket plain = new Socket(name, 443); Socket tls = factory.createSocket(plain, name, 443, true)) {
			tls.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
			String page = new String(tls.getInputStream().readAllBytes());
			if (!page.contains(name))
				throw new Exception("not the page: " + page);
		}
	}

	public static void main(String[] arguments) throws Exception {
		int count = Integer.parseInt(arguments[0]);
		ExecutorService workers = Executors.newFixedThreadPool(Integer.parseInt(arguments[1]));
		AtomicInteger good = new AtomicInteger();
		SSLContext context = SSLContext.getInstance("TLS");

		Security.setProperty("networkaddress.cache.ttl", "0");
		context.init(null, new TrustManager[] {ALL}, null);
		for (int i = 0; i < count; i++) {
			String name = arguments[2 + i % (arguments.length - 2)].replace("%", "" + i);
			workers.submit(() -> {
				try {
					fetch(context.getSocketFactory(), name);
					good.incrementAndGet();
				} catch (Exception error) {
					System.err.println(name + " " + error);
				}
			});
		}
		workers.shutdown();
		workers.awaitTermination(10, TimeUnit.MINUTES);
		System.out.println(good.get() + " of " + count);
	}
}
