-- A study as version 0.1 stored it: ada has finished, bea has answered one comparison, cleo has begun, walrusking has agreed.
BEGIN TRANSACTION;
CREATE TABLE answer (
	trial INTEGER NOT NULL, 
	choice TEXT NOT NULL, 
	response_ms FLOAT NOT NULL, 
	device TEXT NOT NULL, 
	blurs INTEGER NOT NULL, 
	ignored INTEGER NOT NULL, 
	viewport TEXT NOT NULL, 
	answered_at DATETIME NOT NULL, 
	PRIMARY KEY (trial), 
	FOREIGN KEY(trial) REFERENCES trial (id)
);
INSERT INTO "answer" VALUES(1,'left',1333.5,'keyboard',1,0,'800x600','2026-01-05 09:00:10.500000');
INSERT INTO "answer" VALUES(2,'right',1332.5,'keyboard',1,0,'800x600','2026-01-05 09:00:13.500000');
INSERT INTO "answer" VALUES(3,'left',1331.5,'keyboard',1,0,'800x600','2026-01-05 09:00:16.500000');
INSERT INTO "answer" VALUES(4,'right',1330.5,'keyboard',1,0,'800x600','2026-01-05 09:00:19.500000');
INSERT INTO "answer" VALUES(5,'left',1329.5,'keyboard',1,0,'800x600','2026-01-05 09:00:22.500000');
INSERT INTO "answer" VALUES(6,'left',1237.5,'keyboard',1,0,'800x600','2026-01-05 09:00:36.000000');
INSERT INTO "answer" VALUES(7,'right',1236.5,'keyboard',1,0,'800x600','2026-01-05 09:00:39.000000');
INSERT INTO "answer" VALUES(8,'left',1235.5,'keyboard',1,0,'800x600','2026-01-05 09:00:42.000000');
CREATE TABLE arrival (
	"key" TEXT NOT NULL, 
	participant TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "arrival" VALUES('WF5-NermflUGL6hxomhmQfZQh_F31NAn','ada','2026-01-05 09:00:01.500000');
CREATE TABLE attempt (
	id INTEGER NOT NULL, 
	participant TEXT NOT NULL, 
	token TEXT NOT NULL, 
	choice TEXT NOT NULL, 
	response_ms FLOAT NOT NULL, 
	outcome TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "attempt" VALUES(1,'ada','2CRcVJwKtd8-jMymHYQo9Q','left',1333.5,'stored','2026-01-05 09:00:12.000000');
INSERT INTO "attempt" VALUES(2,'ada','IkwIac7fsj27VRHOtiK17Q','right',1332.5,'stored','2026-01-05 09:00:15.000000');
INSERT INTO "attempt" VALUES(3,'ada','K56FUSBsXmWLc9BHmA1OgA','left',1331.5,'stored','2026-01-05 09:00:18.000000');
INSERT INTO "attempt" VALUES(4,'ada','cCZfwojhjgZby4lE4n12FQ','right',1330.5,'stored','2026-01-05 09:00:21.000000');
INSERT INTO "attempt" VALUES(5,'ada','Ib2l1r05bD73c8V9a1FCPg','left',1329.5,'stored','2026-01-05 09:00:27.000000');
INSERT INTO "attempt" VALUES(6,'bea','YArY234uoXQG7B_0od2MpA','left',1237.5,'stored','2026-01-05 09:00:37.500000');
INSERT INTO "attempt" VALUES(7,'bea','nXqpSBUCh0843W-4h2Ze5w','right',1236.5,'stored','2026-01-05 09:00:40.500000');
INSERT INTO "attempt" VALUES(8,'bea','BdcL0mppHjfAgLPi5_PzaA','left',1235.5,'stored','2026-01-05 09:00:43.500000');
INSERT INTO "attempt" VALUES(9,'ada','forged','left',900.0,'refused','2026-01-05 09:00:55.500000');
CREATE TABLE event (
	id INTEGER NOT NULL, 
	participant TEXT NOT NULL, 
	what TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "event" VALUES(1,'ada','consented','2026-01-05 09:00:04.500000');
INSERT INTO "event" VALUES(2,'ada','begun','2026-01-05 09:00:07.500000');
INSERT INTO "event" VALUES(3,'ada','opened','2026-01-05 09:00:09.000000');
INSERT INTO "event" VALUES(4,'ada','finished','2026-01-05 09:00:25.500000');
INSERT INTO "event" VALUES(5,'bea','consented','2026-01-05 09:00:30.000000');
INSERT INTO "event" VALUES(6,'bea','begun','2026-01-05 09:00:33.000000');
INSERT INTO "event" VALUES(7,'bea','opened','2026-01-05 09:00:34.500000');
INSERT INTO "event" VALUES(8,'cleo','consented','2026-01-05 09:00:46.500000');
INSERT INTO "event" VALUES(9,'cleo','begun','2026-01-05 09:00:49.500000');
INSERT INTO "event" VALUES(10,'cleo','opened','2026-01-05 09:00:51.000000');
INSERT INTO "event" VALUES(11,'walrusking','consented','2026-01-05 09:00:54.000000');
CREATE TABLE image (
	sha256 TEXT NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (sha256)
);
INSERT INTO "image" VALUES('493967c23e49b3ef4cdb0b31a07fa4d46ad45eeded05ab42cf979706432ef575',8,8,X'89504E470D0A1A0A0000000D49484452000000080000000808020000004B6D29DC000000D349444154789C01C80037FF00FEE32178F2BC058265A751C0BA9550F2CC17EB07F5A3E62301D16EAB003F040844F998DB962E6295AF199C2996D5A781270252FE427385A10AE121C8FD02AC17ED19E28A59C6BD0D5320016101F2B3302AF9D5182490A8FCA5099268B6BF32FE43EDEF00479849D0394B685309D4E172A775D5C84418B81E232C9D4C012D0BD9F10096F9689B6AA2EFFF7856A1CF65FE05F049D0C200542463E683A31433EBFC927F91F62542F215120430E516BF04F0727C28B6FEB9138AFFF90935820FEAD480AC1831A8F424460161CCB9FFB6B20000000049454E44AE426082');
INSERT INTO "image" VALUES('2f0d89862093bcd83ce0bda88809c55becc21715e33f02837f3b71075419c526',8,8,X'89504E470D0A1A0A0000000D49484452000000080000000808020000004B6D29DC000000D349444154789C01C80037FF0034C4BE73292EF5DD22931663D48AB809A00A4ADBD68C89B80046C7EB8856E14518F1D1B8727C1F28014F935128074CF72D0212067F98BB3B3EBF0A2D91F5E189F4423F1E1A24FE50A77304C4D40942A2B742FED4E412626A4434EB9F23126DFF0F30260245C2F9DF0E4E44FF9D0E5B74D864EB30196C1A9804C38B3C0410D6F11D62D4D1FD461854FC0CDD1D65C2E24BFA1CAF650501023688F8930E2C3358A612D0C833A08CF8F9903FAA26E30302DF5DEB57A4EB196D87DF1BDE344017D7E4A3C11DC4E9967A487E5C41A6BEC5F40000000049454E44AE426082');
INSERT INTO "image" VALUES('f4db3fbb7b38ba64ff6cfbb33085fbcafd97f64d26e2734250d6b9289f03c97c',8,8,X'89504E470D0A1A0A0000000D49484452000000080000000808020000004B6D29DC000000D349444154789C01C80037FF00F136DD243BE3888A800DD2D0B201AA1002E3EAAD3D356DC101652E7E63511ACA5FC4302ED4DBD3F5F0F796D9F67152D82E01D499F95BCACE8F1618E26634B8013DDFCCD6B82D10AA0F73003F127CDB8D0C0AD631BB63DF8AB27E4E4A12CE778D280E9D00010827452D315FEA22C4CF008F5F95D5EFF54CA45B18DB3F0039FA4AB78BC2BA6839DCE6D41BD18BFE302428471016537701AC88178A3A4813EE48EEFAFB6303913D25DE40FBC9A7491F006121B2F5546317E496CA87256F0FCD096444717AAF70515753995CD29EDC1A010000000049454E44AE426082');
CREATE TABLE participant (
	id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	target_user TEXT, 
	simulated BOOLEAN NOT NULL, 
	consented_at DATETIME NOT NULL, 
	begun_at DATETIME, 
	finished_at DATETIME, 
	PRIMARY KEY (id), 
	UNIQUE (number)
);
INSERT INTO "participant" VALUES('ada',0,NULL,0,'2026-01-05 09:00:03.000000','2026-01-05 09:00:06.000000','2026-01-05 09:00:24.000000');
INSERT INTO "participant" VALUES('bea',1,NULL,0,'2026-01-05 09:00:28.500000','2026-01-05 09:00:31.500000',NULL);
INSERT INTO "participant" VALUES('cleo',2,NULL,0,'2026-01-05 09:00:45.000000','2026-01-05 09:00:48.000000',NULL);
INSERT INTO "participant" VALUES('walrusking',3,'walrusking',0,'2026-01-05 09:00:52.500000',NULL,NULL);
CREATE TABLE stimulus (
	stimulus TEXT NOT NULL, 
	prompt TEXT NOT NULL, 
	base_prompt TEXT NOT NULL, 
	condition TEXT NOT NULL, 
	target_user TEXT, 
	run INTEGER NOT NULL, 
	image_sha256 TEXT NOT NULL, 
	PRIMARY KEY (stimulus), 
	FOREIGN KEY(image_sha256) REFERENCES image (sha256)
);
INSERT INTO "stimulus" VALUES('p1-zebrafinch-all','p1','A red boat on a lake','zebrafinch',NULL,0,'493967c23e49b3ef4cdb0b31a07fa4d46ad45eeded05ab42cf979706432ef575');
INSERT INTO "stimulus" VALUES('p1-quokkaleap-walrusking','p1','A red boat on a lake','quokkaleap','walrusking',0,'2f0d89862093bcd83ce0bda88809c55becc21715e33f02837f3b71075419c526');
INSERT INTO "stimulus" VALUES('p1-quokkaleap-lemurqueen','p1','A red boat on a lake','quokkaleap','lemurqueen',0,'f4db3fbb7b38ba64ff6cfbb33085fbcafd97f64d26e2734250d6b9289f03c97c');
CREATE TABLE study (
	id INTEGER NOT NULL CHECK (id = 1), 
	settings JSON NOT NULL, 
	stimuli_sha256 TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "study" VALUES(1,'{"seed": 7, "study": {"question": "Which image do you prefer?", "consent": "You will see pairs of images and say which one you prefer. There are no right or wrong answers. We store your answers, when and how you gave them (how long it took, with mouse or keys, the size of your window, whether you left the page) and the id you arrived with, and nothing else about you. Taking part is voluntary: you may stop at any moment by closing the page.", "instructions": "Two images will appear side by side, both made for the same short description. Choose the one you prefer, by clicking it or with the arrow keys. Follow your own taste and your first impression. We begin with a few pairs for practice, which do not count.", "thanks": "Thank you. All your answers are stored, and you may close this page.", "pairs": "all", "practice": 2, "min_ms": 400, "simulation": {"sensitivity": 1.0, "side_bias": 0.1, "lapse": 0.05}}}','81ce3e3233d76086af4acfbfd2d19f820bc9f652dcef989c72bba52cf54110eb','2026-11-21 02:43:10.409736');
CREATE TABLE trial (
	id INTEGER NOT NULL, 
	participant TEXT NOT NULL, 
	step INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	left_stimulus TEXT NOT NULL, 
	right_stimulus TEXT NOT NULL, 
	token TEXT NOT NULL, 
	left_token TEXT NOT NULL, 
	right_token TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (participant, step), 
	FOREIGN KEY(participant) REFERENCES participant (id), 
	FOREIGN KEY(left_stimulus) REFERENCES stimulus (stimulus), 
	FOREIGN KEY(right_stimulus) REFERENCES stimulus (stimulus), 
	UNIQUE (token), 
	UNIQUE (left_token), 
	UNIQUE (right_token)
);
INSERT INTO "trial" VALUES(1,'ada',0,'practice','p1-zebrafinch-all','p1-quokkaleap-walrusking','2CRcVJwKtd8-jMymHYQo9Q','cqnf-f56t-Qs0251OvcRJA','avUpYmBIkiicaDCNINqPag');
INSERT INTO "trial" VALUES(2,'ada',1,'practice','p1-zebrafinch-all','p1-quokkaleap-lemurqueen','IkwIac7fsj27VRHOtiK17Q','T0_YIGzPSsmE8uqKyLLNCA','TPU_XUmiQrKZ5u5bmC9IXw');
INSERT INTO "trial" VALUES(3,'ada',2,'comparison','p1-quokkaleap-lemurqueen','p1-quokkaleap-walrusking','K56FUSBsXmWLc9BHmA1OgA','hQY_yBkWyjnzssGlxMMLDA','o4veshQ9G0kgWNNfaO1QTg');
INSERT INTO "trial" VALUES(4,'ada',3,'comparison','p1-zebrafinch-all','p1-quokkaleap-lemurqueen','cCZfwojhjgZby4lE4n12FQ','B5E6zzIrepL8a_FJsN7QAg','XYvp1Ig8MMd85-2WdcBHXw');
INSERT INTO "trial" VALUES(5,'ada',4,'comparison','p1-quokkaleap-walrusking','p1-zebrafinch-all','Ib2l1r05bD73c8V9a1FCPg','mG5VEVHr4c-XcTlkx15uVg','NDWXGqtcKK740R1k5ThPIw');
INSERT INTO "trial" VALUES(6,'bea',0,'practice','p1-quokkaleap-walrusking','p1-zebrafinch-all','YArY234uoXQG7B_0od2MpA','-uhDDYy5QuQOXY6hk_rqtA','WIkHX31GJDsMPRHRmFUODw');
INSERT INTO "trial" VALUES(7,'bea',1,'practice','p1-quokkaleap-lemurqueen','p1-zebrafinch-all','nXqpSBUCh0843W-4h2Ze5w','dH7QXt3vgVsmLjgpiSi3UA','wr_1XFU-mSCgper_HkP8mQ');
INSERT INTO "trial" VALUES(8,'bea',2,'comparison','p1-quokkaleap-walrusking','p1-quokkaleap-lemurqueen','BdcL0mppHjfAgLPi5_PzaA','I24aQPkVMyXVj_s0TiNfSg','zFaGpeoNdrNlqqvTMnHAQg');
INSERT INTO "trial" VALUES(9,'bea',3,'comparison','p1-quokkaleap-lemurqueen','p1-zebrafinch-all','wKP0pFAPe6I_NZviFfUFVA','D7uj3RXad3z9AZOaFGLxRQ','2Lt0idmVq-VN075bk6wN6Q');
INSERT INTO "trial" VALUES(10,'bea',4,'comparison','p1-zebrafinch-all','p1-quokkaleap-walrusking','D3tu92I_xLrIwH8ZTFjwXA','9xH2tqoRywNpKmdCfaTUyg','pkDx3OVWxo3IvB8Lhp-bKg');
INSERT INTO "trial" VALUES(11,'cleo',0,'practice','p1-zebrafinch-all','p1-quokkaleap-walrusking','chiXmT_uWpc7q4NNRmOASw','MfjwVX_alOxycvVg34W4ew','ehbQQvPz2SiMkKnVwOa2hg');
INSERT INTO "trial" VALUES(12,'cleo',1,'practice','p1-quokkaleap-lemurqueen','p1-quokkaleap-walrusking','FzLN7HaDCN6Ze_BUq5ofvw','n7X8KAKy3JYotbKkfr7fMg','OKzHU0tc6xKk6nqtlA9M4Q');
INSERT INTO "trial" VALUES(13,'cleo',2,'comparison','p1-zebrafinch-all','p1-quokkaleap-walrusking','3IvYuEp85ruKgMKP6SpmPw','-y74jCsV0eynyt8vOJI-Aw','RjFbdyJ6i1j2U403Ft3Z6A');
INSERT INTO "trial" VALUES(14,'cleo',3,'comparison','p1-quokkaleap-walrusking','p1-quokkaleap-lemurqueen','4Yf7tbOXz3lFF3_F0qzh8g','NKJgY0xh8mcaWXmfpP5mwQ','RtLW0eYCOZF_t0ITnR445g');
INSERT INTO "trial" VALUES(15,'cleo',4,'comparison','p1-quokkaleap-lemurqueen','p1-zebrafinch-all','AnA7chjfpuFBOiKFInp6mg','KiKs30SKejYEk5Om1U2oHA','p8Frbg24vZY21oprirqqGQ');
INSERT INTO "trial" VALUES(16,'walrusking',0,'practice','p1-quokkaleap-walrusking','p1-quokkaleap-lemurqueen','HTpp63ySh-Qh_XCT4cyJrg','mtx6zEHFdb-iTR-s6ckzHw','VslRL3k_Xh8sFK1e03niHw');
INSERT INTO "trial" VALUES(17,'walrusking',1,'practice','p1-quokkaleap-walrusking','p1-zebrafinch-all','kQUXXDhZGlcRXYW84ZWaNg','qB9mfXRTmeuHZZmDslM4MA','_Q_i7J-7gDu_74Eb0D9JwA');
INSERT INTO "trial" VALUES(18,'walrusking',2,'comparison','p1-quokkaleap-walrusking','p1-zebrafinch-all','ZLrNaSX8avg0NcifMGr87A','oXMhAfTwbDVYNHzC5gHLGw','q1DSJSFfRsKfDT8Sa5P5sQ');
INSERT INTO "trial" VALUES(19,'walrusking',3,'comparison','p1-zebrafinch-all','p1-quokkaleap-lemurqueen','dkMzmoMiVZRGZmLC6rhVNw','hZsoNI0h2f9fRp41dgHUew','GuMEl2cMo0hY_HYUjMzzHQ');
INSERT INTO "trial" VALUES(20,'walrusking',4,'comparison','p1-quokkaleap-lemurqueen','p1-quokkaleap-walrusking','Z_TZeY7G940XaoIkbBECEQ','d1YjvNdJ93NVjO4PrnKzOA','DGuE8xUkKr83waTDeHzXug');
COMMIT;
